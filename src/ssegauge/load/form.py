"""The form of Locust's page is held to what the command line is held to: a mistake is said there, and no run begins.

Locust takes what is typed for the type of what was there before, and nothing else: a word for a number is an error of
the server, and a rate below zero is found out by whoever uses it (locust/web.py, swarm).
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from flask import jsonify, request
from locust.web import WebUI

from ssegauge.errors import UserError
from ssegauge.load import options
from ssegauge.load.conductor import Conductor

_SWARM = "locust.swarm"


def install(conductor: Conductor, web_ui: WebUI) -> None:
    """Look at what the form says before Locust does."""
    app: Any = web_ui.app
    swarm = app.view_functions[_SWARM]

    @wraps(swarm)
    def checked() -> Any:
        environment = conductor.environment
        before, host = dict(vars(environment.parsed_options)), environment.host
        try:
            _take(conductor, request.form)
            answer = swarm()
        except UserError as error:
            answer = jsonify({"success": False, "message": str(error), "host": host})
        if not answer.get_json()["success"]:  # then nothing of it is taken over
            vars(environment.parsed_options).update(before)
            environment.host = host
        return answer

    guarded: Any = web_ui.auth_required_if_enabled
    app.view_functions[_SWARM] = guarded(checked)


def _take(conductor: Conductor, form: Any) -> None:
    """Take our arguments over from the form. Raises UserError."""
    environment = conductor.environment
    values = vars(environment.parsed_options)
    values.update((name, options.parsed(name, text)) for name, text in form.items() if name in options.declared)
    if "host" in form:
        environment.host = form["host"]
    conductor.check_all()

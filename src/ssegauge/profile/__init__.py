"""What a target is declared to be: the TOML file with its endpoints, contracts and means.

profile = load("sse-target.toml")
profile = from_url("http://127.0.0.1:8000/stream")
"""

from ssegauge.profile.address import from_url, open_target
from ssegauge.profile.endpoint import Endpoint, Situation
from ssegauge.profile.loading import load
from ssegauge.profile.model import Metrics, Probe, Profile, ProfileError, Target, expect_environment, resolved, secret
from ssegauge.profile.request import Overlay, Request

__all__ = [
    "Endpoint",
    "Metrics",
    "Overlay",
    "Probe",
    "Profile",
    "ProfileError",
    "Request",
    "Situation",
    "Target",
    "expect_environment",
    "from_url",
    "load",
    "open_target",
    "resolved",
    "secret",
]

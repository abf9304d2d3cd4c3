"""Settings, and what they refuse."""

import pytest

from target_app.app import create_app
from target_app.settings import Settings, SettingsError


def test_the_environment_is_read():
    environment = {
        "SSEGAUGE_PACE": "0.5",
        "SSEGAUGE_ORIGINS": "https://a.example, https://b.example",
        "SSEGAUGE_SEED": "7",
    }
    settings = Settings.from_environment(environment)
    assert settings == Settings(pace=0.5, origins=("https://a.example", "https://b.example"), seed=7)


def test_the_pace_of_the_guide_is_the_default():
    assert Settings.from_environment({}).pace == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PACE", "nan"), ("PACE", "inf"), ("PACE", "-1"), ("PACE", "fast"), ("ORIGINS", "*"), ("ORIGINS", "https://a/"),
        ("ORIGINS", "null"), ("KEEPALIVE_S", "0"), ("RETRY_MS", "0"), ("FAILURE_RATE", "2"), ("SEED", "x"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(variable, value):
    with pytest.raises(SettingsError, match=f"SSEGAUGE_{variable}"):
        Settings.from_environment({f"SSEGAUGE_{variable}": value})


def test_two_apps_share_nothing():
    one, other = create_app(Settings(pace=0)), create_app(Settings(pace=1))
    assert one.state.settings.pace == 0
    assert one.state.probe is not other.state.probe
    assert one.state.feed is not other.state.feed

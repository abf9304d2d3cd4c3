"""What results decide: thresholds, comparison with a baseline, two targets side by side. Pure functions of results."""

from ssegauge.gate.rulings import Judgement, Outcome, Ruling, Run, judge

__all__ = ["Judgement", "Outcome", "Ruling", "Run", "judge"]

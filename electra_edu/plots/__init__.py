"""Figures: axes and values in, axes out. Nothing here shows, saves or trains."""

from electra_edu.plots.arms import arm_curves
from electra_edu.plots.curves import generator_scores, gradient_shares, learning, mlm_loss, rtd_loss
from electra_edu.plots.growth import growth
from electra_edu.plots.machine import machine
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, NEUTRAL, PROBE
from electra_edu.plots.series import smooth
from electra_edu.plots.sheet import WIDTH as SHEET_WIDTH
from electra_edu.plots.sheet import sheet, sheet_height
from electra_edu.plots.tokens import token_strip

__all__ = [
    "DISCRIMINATOR",
    "GENERATOR",
    "NEUTRAL",
    "PROBE",
    "SHEET_WIDTH",
    "arm_curves",
    "generator_scores",
    "gradient_shares",
    "growth",
    "learning",
    "machine",
    "mlm_loss",
    "rtd_loss",
    "sheet",
    "sheet_height",
    "smooth",
    "token_strip",
]

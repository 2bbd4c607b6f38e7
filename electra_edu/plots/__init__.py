"""Figures: axes and values in, axes out. Nothing here shows, saves or trains."""

from electra_edu.plots.arms import arm_curves
from electra_edu.plots.curves import generator_scores, gradient_shares, learning, mlm_loss, rtd_loss
from electra_edu.plots.growth import growth
from electra_edu.plots.layout import WIDTH as BLOCKS_WIDTH
from electra_edu.plots.layout import blocks_height, draw_blocks
from electra_edu.plots.machine import machine
from electra_edu.plots.palette import DISCRIMINATOR, GENERATOR, NEUTRAL, PROBE
from electra_edu.plots.series import smooth
from electra_edu.plots.tokens import token_strip

__all__ = [
    "BLOCKS_WIDTH",
    "DISCRIMINATOR",
    "GENERATOR",
    "NEUTRAL",
    "PROBE",
    "arm_curves",
    "blocks_height",
    "draw_blocks",
    "generator_scores",
    "gradient_shares",
    "growth",
    "learning",
    "machine",
    "mlm_loss",
    "rtd_loss",
    "smooth",
    "token_strip",
]

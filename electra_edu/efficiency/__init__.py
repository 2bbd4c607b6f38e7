"""What a model costs and how much its labels say: itemised arithmetic on a config that a pencil can check.

`parameters` are counted, `flops` by the rule of this course's races and `official_flops` by the paper's, `memory` in
bytes, `learning_signal` in bits. No torch here.
"""

from electra_edu.efficiency.information import LearningSignal, Signal, learning_signal
from electra_edu.efficiency.matrix_products import flops
from electra_edu.efficiency.official import official_flops, official_inference_flops
from electra_edu.efficiency.parameter_counts import Parameters, parameters
from electra_edu.efficiency.training_memory import memory

__all__ = [
    "LearningSignal",
    "Parameters",
    "Signal",
    "flops",
    "learning_signal",
    "memory",
    "official_flops",
    "official_inference_flops",
    "parameters",
]

"""The table of objectives against the paper's."""

from typing import get_args

from electra_edu.config import ElectraConfig
from electra_edu.config.electra_config import ObjectiveName
from electra_edu.config.objectives import OBJECTIVES


def test_rows_are_those_of_table_5() -> None:
    """Table 5 of arXiv 2003.10555 has these five rows, in the order of their scores."""
    assert [row.label for row in OBJECTIVES.values()] == [
        "BERT", "Replace MLM", "ELECTRA 15%", "All-Tokens MLM", "ELECTRA",
    ]  # fmt: skip
    assert set(OBJECTIVES) == set(get_args(ObjectiveName))
    assert ElectraConfig().objective == "electra"

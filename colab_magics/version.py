"""The version of the package, where the build and the reports read it, and of the form of its reports."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VERSION = "0.1.0"

FORM: "Final" = 2
"""The number of the form of reports, in JSON and between machines: it changes when a field is taken away or comes to
mean something else."""

"""The one child process that talks to NVIDIA's driver and takes samples over time, and the kernel's side of it.

The driver can hang in a way that no thread ends and can kill the process that called it, so it is only ever called in
a child, which also asks mounts that may be silent. `client` is the kernel's side: it starts the child by `starting` and
has two conversations with it, `asking` and `looking`, which read by `answers` and believe what `shapes` lets pass.
`child`, `devices`, `looks`, `nvml` and `samples` run in the child and import the standard library, `pynvml`, and of the
rest of this package only `memory`, `cgroup`, `procfs` and `files`. What is local the kernel asks
itself, by `looks.file_system`.
"""

import sys

DEADLINE_SECONDS = 3.0
"""How long the driver's first answer is waited for unless told otherwise: its start takes seconds on some machines."""


def child_pid() -> int | None:
    """Return the process number of this process's child, None while there is none; import nothing to find out."""
    client = sys.modules.get(f"{__name__}.client")
    return None if client is None else client.pid()

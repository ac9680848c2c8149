"""The one child process that talks to NVIDIA's driver and takes samples over time, and the kernel's side of it.

The driver can hang in a way that no thread ends and can kill the process that called it, so it is only ever called in
a child, which also asks mounts that may be silent. `client` is the kernel's side: it starts the child by `starting` and
has two conversations with it, `asking` and `looking`, which read by `answers` and believe what `shapes` lets pass.
`child`, `devices`, `looks`, `nvml` and `samples` run in the child and import the standard library, `pynvml`, and of the
rest of this package only `memory`, `cgroup`, `procfs` and `files`. What is local the kernel asks
itself, by `looks.file_system`.
"""

"""The panel: `opening` decides whether there can be one, `session` keeps it true while `presence` sees somebody there.

`controls` are its widgets, `source` gives it reports; `card` is the part that moves, made of `gauges` and their
`sparkline`.
"""

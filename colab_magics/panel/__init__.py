"""The panel: `opening` decides whether there can be one, `session` keeps it true, `controls` are its widgets.

`card` is the part that moves, made of `gauges` and their `sparkline`.
"""

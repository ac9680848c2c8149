"""The panel: `opening` decides whether there can be one, `session` keeps it true, `controls` are its widgets.

`source` gives it reports; `card` is the part that moves, made of `gauges` and their `sparkline`.
"""

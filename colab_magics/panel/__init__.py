"""The panel: `gauges` and `sparkline` make the card that moves, `controls` are its widgets, `live` keeps it true."""

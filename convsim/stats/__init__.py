"""Every statistic that convsim and its validators share, once: units, resampling, tests, intervals, decisions."""

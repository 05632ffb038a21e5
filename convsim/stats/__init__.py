"""Every statistic that convsim and its validators share, once: resampling, tests, intervals, decisions."""

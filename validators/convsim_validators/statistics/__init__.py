"""What validators share: how sides are resampled, what a p-value is, when a verdict is given."""

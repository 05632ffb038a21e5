"""How the recurrence of the policy kind ``ssm`` is learned; loaded only where the extra "train" is installed."""

"""The instrument classes: what each does all day, and what that costs in power. Data and small pure functions."""

"""Features for regressors, and honest tests of what is fitted on them."""

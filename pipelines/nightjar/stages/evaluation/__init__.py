"""Are known questions still answered? Rankings to scores, scores to intervals, intervals to a verdict and a page."""

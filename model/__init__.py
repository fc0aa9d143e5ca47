"""What is learned: tasks, tree models, calibration, bundles, scores and their reasons."""

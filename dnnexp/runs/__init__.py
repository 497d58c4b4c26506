"""Run folders: what a run leaves on disk, and when it counts as complete."""

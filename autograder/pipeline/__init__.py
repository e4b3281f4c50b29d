"""From submissions to marks: jobs, the lanes that run them, and where results are kept."""

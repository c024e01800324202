"""Reports: findings as a folder that people read, nations sign, and anybody verifies offline."""

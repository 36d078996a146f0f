"""Files of tables as datasets: ``houses.csv[target=price]``."""

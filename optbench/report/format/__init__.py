"""How values, names, colours and curves are shown."""

"""How values, names, colors and curves are shown."""

"""What comes again with every period, and what goes up when a day is missed: periods, standing, supervision. Pure."""

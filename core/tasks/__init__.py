"""What a state of a case asks of people, and of whom: pure, said by the events alone."""

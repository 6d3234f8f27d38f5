"""The count of an owners' vote by people and by area (民法典 278), exact: what came in as papers, what it comes to."""

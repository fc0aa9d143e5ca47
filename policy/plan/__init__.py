"""The city's plan: its rows, what each comes to, and the ground they stand on."""

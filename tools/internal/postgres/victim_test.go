package postgres_test

func becomeVictim() {}

package postgres

// KillKeeper ends a server's keeper, as the system does where memory runs out.
func KillKeeper(s *Server) error { return s.process.Process.Kill() }

package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// superuser is the role that initdb makes.
const superuser = "postgres"

// Secret gives what ALTER ROLE ... PASSWORD takes for an ASCII password: a SCRAM secret as PostgreSQL stores it
// (src/common/scram-common.c). It has one iteration, so that a connection costs no more than without a password: more
// protect passwords that people choose, not random ones. The salt is made of the password, so that equal passwords give
// equal secrets: a golden cluster that is built twice must have equal bytes.
func Secret(password string) string {
	digest := sha256.Sum256([]byte("salt of " + password))
	salt := digest[:16]
	mac := func(key, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	salted := mac([]byte(password), append(salt[:len(salt):len(salt)], 0, 0, 0, 1))
	stored := sha256.Sum256(mac(salted, []byte("Client Key")))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$1:%s$%s:%s", text(salt), text(stored[:]), text(mac(salted, []byte("Server Key"))))
}

// ChangePassword gives the superuser a random password that only this process knows, for connections from then on. Call
// it before anybody else uses the server; it does nothing where no password is needed.
//
// Errors: those of the connection.
func (s *Server) ChangePassword(ctx context.Context) error {
	if s.password == "" {
		return nil
	}
	conn, err := s.Connect(ctx, superuser, superuser)
	if err != nil {
		return fmt.Errorf("change the superuser's password: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	password := rand.Text()
	if _, err := conn.Exec(ctx, "ALTER ROLE "+superuser+" PASSWORD '"+Secret(password)+"'"); err != nil {
		return fmt.Errorf("change the superuser's password: %w", err)
	}
	s.password = password
	return nil
}

// Password is the superuser's; "" where none is needed.
func (s *Server) Password() string { return s.password }

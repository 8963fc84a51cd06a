package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/conf"
)

// Secret gives what ALTER ROLE ... PASSWORD takes for an ASCII password: a SCRAM secret as PostgreSQL stores it
// (src/common/scram-common.c). It has one iteration, so that a connection costs no more than without a password: more
// protect passwords that people choose, not random ones. The salt is made of the password, so that equal passwords give
// equal secrets: a golden cluster that is built twice must have equal bytes.
func Secret(password string) string { return secret(password, 1) }

// commonIterations is PostgreSQL's own number, and the least that some drivers take: that of JDBC refuses fewer.
const commonIterations = 4096

func secret(password string, iterations int) string {
	digest := sha256.Sum256([]byte("salt of " + password))
	salt := digest[:16]
	mac := func(key, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	salted, _ := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size) // fails for short keys under FIPS alone
	stored := sha256.Sum256(mac(salted, []byte("Client Key")))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, text(salt), text(stored[:]), text(mac(salted, []byte("Server Key"))))
}

// ChangePassword gives the superuser a random password that only this process knows, for connections from then on (or that
// of [Config.OnePassword]), and [Config.RolePassword] to every role that may log in and has no password yet. Call it before anybody else uses the
// server; it does nothing where no password is needed.
//
// Errors: those of the connection.
func (s *Server) ChangePassword(ctx context.Context) error {
	if s.password == "" {
		return nil
	}
	conn, err := s.Connect(ctx, conf.Superuser, conf.Superuser)
	if err != nil {
		return fmt.Errorf("change the superuser's password: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	password := rand.Text()
	hashed := Secret(password)
	if s.config.OnePassword && s.config.RolePassword != "" {
		password, hashed = s.config.RolePassword, secret(s.config.RolePassword, commonIterations)
	}
	statements := "ALTER ROLE " + conf.Superuser + " PASSWORD '" + hashed + "'"
	if s.config.RolePassword != "" {
		statements += "; UPDATE pg_authid SET rolpassword = '" + secret(s.config.RolePassword, commonIterations) +
			"' WHERE rolcanlogin AND rolpassword IS NULL"
	}
	if _, err := conn.Exec(ctx, statements); err != nil {
		return fmt.Errorf("change the superuser's password: %w", err)
	}
	s.password = password
	return nil
}

// Password is the superuser's; "" where none is needed.
func (s *Server) Password() string { return s.password }

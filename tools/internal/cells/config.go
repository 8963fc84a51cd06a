package cells

import (
	"reflect"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// poolConfig is what [pgxpool.ParseConfig] makes of a cell's URL. That asks the file system for passwords, certificates
// and sockets, the same each time, and each hand-over of a cell needs a configuration: 40 microseconds, of some 400 that
// the client's side of a hand-over takes. So one is parsed, and copied under the cell's name.
func (c *Cluster) poolConfig(name string) (*pgxpool.Config, error) {
	url := c.server.URL(golden.Role, name)
	offset, known := connStringOffset()
	if !known {
		return pgxpool.ParseConfig(url)
	}
	parsed, err := c.parsed()
	if err != nil {
		return nil, err
	}
	config := parsed.Copy()
	config.ConnConfig.Database = name
	*(*string)(unsafe.Add(unsafe.Pointer(config.ConnConfig), offset)) = url
	return config, nil
}

// connStringOffset tells where a [pgx.ConnConfig] has the string that its method ConnString gives, which code under test
// may connect with. There is no other way to it; known is false in a release of pgx that has it elsewhere.
func connStringOffset() (offset uintptr, known bool) {
	f, found := reflect.TypeFor[pgx.ConnConfig]().FieldByName("connString")
	return f.Offset, found && f.Type.Kind() == reflect.String && len(f.Index) == 1
}

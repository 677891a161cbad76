package sqlite

import "database/sql"

func (s *Store) Writer() *sql.DB { return s.writer.DB }
func (s *Store) Reader() *sql.DB { return s.reader.DB }

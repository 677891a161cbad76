package records

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/sealpost/sealpost/server/store"
)

// Usage implements [store.Meta].
func (s Store) Usage(ctx context.Context) (bytes int64, err error) {
	var found bool
	err = s.DB.Read(ctx, one(&found, usageSelect, nil, &bytes))
	if err == nil && !found {
		err = errors.New("there is no row for it")
	}
	if err != nil {
		return 0, fmt.Errorf("failed to read usage: %w", err)
	}
	return bytes, nil
}

// anyNumber takes the place of a limit that is none. D1 takes integers of up to 53 bits.
const anyNumber = 1 << 53

// Charge implements [store.Meta].
func (s Store) Charge(ctx context.Context, c store.Charge, limit store.Daily) error {
	client, err := s.clientOf(ctx, c)
	if err != nil {
		return fmt.Errorf("failed to read salt: %w", err)
	}
	if limit.Shares == 0 {
		limit.Shares = anyNumber
	}
	if limit.Bytes == 0 {
		limit.Bytes = anyNumber
	}
	shares, counted := c.Shares, false
	var known bool
	err = s.DB.Write(ctx, "client "+hex.EncodeToString(client),
		one(&counted, charge, []any{client, c.Shares, c.Bytes, c.Day, limit.Shares, limit.Bytes}, &shares),
		one(&known, chargeResult, []any{c.Day, client}, &shares))
	if !known {
		shares = 0
	}
	switch {
	case err == nil && counted:
		return nil
	case err == nil && (c.Shares > limit.Shares || shares > limit.Shares-c.Shares):
		err = store.ErrOverShares
	case err == nil:
		err = store.ErrOverBytes
	}
	return fmt.Errorf("failed to charge: %w", err)
}

// clientOf is what stands for a client on a day: nobody finds out its address from that once the salt is gone.
func (s Store) clientOf(ctx context.Context, c store.Charge) ([]byte, error) {
	var salt []byte
	var found bool
	query := one(&found, saltSelect, []any{c.Day}, &salt)
	if err := s.DB.Read(ctx, query); err != nil {
		return nil, err
	}
	if !found {
		fresh := make([]byte, sha256.Size)
		rand.Read(fresh) // never fails
		if err := s.DB.Write(ctx, "salt", do(saltInsert, c.Day, fresh), query); err != nil {
			return nil, err
		}
	}
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(strconv.FormatInt(c.Day, 10) + " " + c.Client))
	return h.Sum(nil), nil
}

// DropCharges implements [store.Meta].
func (s Store) DropCharges(ctx context.Context, before int64) (int64, error) {
	var days int64
	err := s.DB.Write(ctx, "", do(chargesDrop, before), Statement{saltsDrop, []any{before}, func(r Row) error {
		days++
		var day int64
		return r.Scan(&day)
	}})
	if err != nil {
		return 0, fmt.Errorf("failed to drop charges: %w", err)
	}
	return days, nil
}

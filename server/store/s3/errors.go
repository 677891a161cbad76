package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/sealpost/sealpost/server/store"
)

// full are the codes of a store, or a quota, without room.
var full = map[string]bool{"QuotaExceeded": true, "InsufficientStorage": true, "XMinioStorageFull": true,
	"XMinioAdminBucketQuotaExceeded": true, "NoSpaceLeftOnDevice": true}

// passing are the codes of what clears by itself, whatever the status: AWS says RequestTimeout, of a body that came too slowly, with 400.
var passing = map[string]bool{"RequestTimeout": true, "RequestTimeTooSkewed": true, "SlowDown": true, "InternalError": true,
	"ServiceUnavailable": true, "OperationAborted": true}

// failure makes of an error of the library what the contract has for it, without names: the library's have the object's.
func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return refusal(r)
	}
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok {
		text = strings.ReplaceAll(u.Err.Error(), u.URL, "the store")
	}
	// Not wrapped: to whoever looks for them, errors of a network are those of the client's.
	return fmt.Errorf("%w: %s", store.ErrUnavailable, text)
}

// refusal is what the store has answered.
func refusal(r minio.ErrorResponse) error {
	err := fmt.Errorf("the store answers %d, %s", r.StatusCode, r.Code)
	switch {
	case full[r.Code] || r.StatusCode == http.StatusInsufficientStorage:
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	case passing[r.Code] || r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusRequestTimeout ||
		r.StatusCode == http.StatusConflict: // with another request, as a PUT with the deletion of its share
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return err
}

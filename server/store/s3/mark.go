package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// markName is of what has the mark, under the prefix; as it begins with a dot it is no share's.
const markName = ".mark"

// Mark implements [store.Blobs]. Of several that leave one at once, a store that does not know If-None-Match may keep the last.
func (s *Store) Mark(ctx context.Context, mark string) (string, error) {
	ctx, w := watch(ctx, s.stall)
	defer w.end()
	there, err := s.readMark(ctx)
	if err == nil && there == "" && mark != "" {
		if err = s.leaveMark(ctx, mark); err == nil {
			there, err = s.readMark(ctx)
		}
	}
	if err != nil {
		return "", fmt.Errorf("failed to mark bucket: %w", failure(ctx, err))
	}
	return there, nil
}

// readMark returns "" if there is none.
func (s *Store) readMark(ctx context.Context) (string, error) {
	body, _, _, err := s.core.GetObject(ctx, s.bucket, s.prefix+markName, minio.GetObjectOptions{})
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 1<<10))
	return string(text), err
}

func (s *Store) leaveMark(ctx context.Context, mark string) error {
	opts := minio.PutObjectOptions{DisableMultipart: true}
	opts.SetMatchETagExcept("*")
	_, err := s.core.PutObject(ctx, s.bucket, s.prefix+markName, strings.NewReader(mark), int64(len(mark)), "", "", opts)
	if r, ok := errors.AsType[minio.ErrorResponse](err); ok && (r.StatusCode == http.StatusPreconditionFailed || r.StatusCode == http.StatusConflict) {
		return nil // somebody else was the first
	}
	return err
}

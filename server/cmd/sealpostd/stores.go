package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/sealpost/sealpost/server/store"
	"github.com/sealpost/sealpost/server/store/disk"
	"github.com/sealpost/sealpost/server/store/postgres"
	"github.com/sealpost/sealpost/server/store/s3"
	"github.com/sealpost/sealpost/server/store/sqlite"
)

// storeOptions say where everything is kept: in the data folder, unless it is told to be elsewhere.
type storeOptions struct {
	data       string
	db, dbFile string
	s3         s3.Config
	s3KeyFile  string
	s3Direct   string
}

func (o *storeOptions) register(fs *flag.FlagSet) {
	fs.StringVar(&o.data, "data", "./data", "`folder` that keeps everything that is not kept elsewhere")
	fs.StringVar(&o.db, "db", "", "`address` of the PostgreSQL that keeps records, as postgres://user@host/name?sslmode=verify-full")
	fs.StringVar(&o.dbFile, "db-file", "", "`file` that has the address, if there is a password in it")
	fs.StringVar(&o.s3.Endpoint, "s3-endpoint", "", "`URL` of the object store that keeps sealed parts, as https://s3.example")
	fs.StringVar(&o.s3.Bucket, "s3-bucket", "", "`name` of the bucket there, which exists")
	fs.StringVar(&o.s3.Region, "s3-region", "us-east-1", "`region` of the bucket")
	fs.StringVar(&o.s3.Prefix, "s3-prefix", "", "`beginning` of all names in the bucket, as sealpost/")
	fs.StringVar(&o.s3.AccessKey, "s3-access-key", "", "`id` of the key to the bucket")
	fs.StringVar(&o.s3KeyFile, "s3-secret-key-file", "", "`file` that has the key's secret")
	fs.StringVar(&o.s3Direct, "s3-direct", "", "`URL` at which browsers reach the object store, as https://s3.example, so that parts go to and fro without passing through here; the bucket has to allow that")
}

func (o *storeOptions) validate() error {
	switch {
	case o.data == "":
		return errors.New("-data is empty")
	case o.db != "" && o.dbFile != "":
		return errors.New("-db and -db-file are both there, and each is an address of the database")
	case o.s3.Endpoint == "" && (o.s3.Bucket != "" || o.s3.AccessKey != "" || o.s3KeyFile != "" || o.s3Direct != ""):
		return errors.New("-s3-bucket, -s3-access-key, -s3-secret-key-file and -s3-direct need -s3-endpoint")
	case o.s3.Endpoint != "" && (o.s3.Bucket == "" || o.s3.AccessKey == "" || o.s3KeyFile == ""):
		return errors.New("-s3-endpoint needs -s3-bucket, -s3-access-key and -s3-secret-key-file")
	}
	var errs []error
	if o.db != "" {
		errs = append(errs, checkDatabase("-db", o.db))
	}
	if err := s3utils.CheckValidBucketName(o.s3.Bucket); o.s3.Bucket != "" && err != nil {
		errs = append(errs, fmt.Errorf("-s3-bucket cannot be %q: %w", o.s3.Bucket, err))
	}
	for _, place := range [][2]string{{"-s3-endpoint", o.s3.Endpoint}, {"-s3-direct", o.s3Direct}} {
		if err := s3.CheckEndpoint(place[1]); place[1] != "" && err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place[0], err))
		}
	}
	return errors.Join(errs...)
}

// parts and records say where these are, for people.
func (o *storeOptions) parts() string {
	switch {
	case o.s3Direct != "":
		return "bucket, directly"
	case o.s3.Endpoint != "":
		return "bucket"
	}
	return "folder"
}

func (o *storeOptions) records() string {
	if o.db != "" || o.dbFile != "" {
		return "PostgreSQL"
	}
	return "SQLite"
}

// What opens is closed again.
type (
	blobs interface {
		store.Blobs
		io.Closer
	}
	meta interface {
		store.Meta
		io.Closer
	}
)

// openBlobs opens what keeps parts, of which a disk leaves minFree bytes free, for a server, which has to be able to write there.
func (o *storeOptions) openBlobs(ctx context.Context, minFree int64) (blobs, error) {
	if o.s3.Endpoint == "" {
		if err := o.makeData(); err != nil {
			return nil, err
		}
	}
	b, err := o.connectBlobs(ctx, minFree)
	if d, ok := b.(*disk.Store); ok && err == nil {
		if err = d.TryWrite(); err != nil {
			d.Close()
		}
	}
	return b, err
}

func (o *storeOptions) connectBlobs(ctx context.Context, minFree int64) (blobs, error) {
	if o.s3.Endpoint != "" {
		cfg := o.s3
		var err error
		if cfg.SecretKey, err = readSecret(o.s3KeyFile); err != nil {
			return nil, err
		}
		return s3.Open(ctx, cfg)
	}
	b, err := disk.Open(filepath.Join(o.data, "blobs"))
	if err != nil {
		return nil, err
	}
	b.MinFree = minFree
	return b, nil
}

// direct returns what sends clients to the bucket that b is, or nil if they are not to go there.
func (o *storeOptions) direct(b blobs) (store.Direct, error) {
	bucket, ok := b.(*s3.Store)
	if o.s3Direct == "" || !ok {
		return nil, nil
	}
	return bucket.Direct(o.s3Direct)
}

// address is that of PostgreSQL, or "".
func (o *storeOptions) address() (string, error) {
	if o.dbFile == "" {
		return o.db, nil
	}
	address, err := readSecret(o.dbFile)
	if err == nil {
		err = checkDatabase("-db-file", address)
	}
	return address, err
}

// check reads the secrets that are in files, and asks no store.
func (o *storeOptions) check() error {
	_, err := o.address()
	if o.s3.Endpoint != "" {
		err = errors.Join(err, o.checkBucket())
	}
	return err
}

func (o *storeOptions) openMeta(ctx context.Context) (meta, error) {
	address, err := o.address()
	if err != nil {
		return nil, err
	}
	if address != "" {
		return postgres.Open(ctx, address)
	}
	if err := o.makeData(); err != nil {
		return nil, err
	}
	return sqlite.Open(filepath.Join(o.data, "meta.db"))
}

// matchStores refuses parts of other records, before anything is taken or given out.
func matchStores(ctx context.Context, b store.Blobs, m store.Meta) error {
	err := store.Match(ctx, b, m)
	if errors.Is(err, store.ErrForeign) {
		err = fmt.Errorf("%w: name the records that they belong to, bring those back from a backup, or name another place for parts. "+
			"To give these parts up, delete them all, and the file or object .mark beside them", err)
	}
	if err != nil {
		return fmt.Errorf("failed to match parts and records: %w", err)
	}
	return nil
}

// attachBlobs and attachMeta open the stores beside servers that may have them open. They make nothing and upgrade nothing. What is then
// done to the stores any other server might do, too: databases and buckets look after themselves, and files have the locks that package
// disk tells of.
func (o *storeOptions) attachBlobs(ctx context.Context, minFree int64) (blobs, error) {
	if o.s3.Endpoint == "" {
		if _, err := os.Stat(filepath.Join(o.data, "blobs")); err != nil {
			return nil, fmt.Errorf("failed to find what a server keeps: %w", err)
		}
	}
	return o.connectBlobs(ctx, minFree)
}

func (o *storeOptions) attachMeta(ctx context.Context) (meta, error) {
	address, err := o.address()
	switch {
	case err != nil:
		return nil, err
	case address != "":
		return postgres.Attach(ctx, address)
	}
	return sqlite.Attach(filepath.Join(o.data, "meta.db"))
}

// makeData makes the data folder, durably, if it is not there.
func (o *storeOptions) makeData() error {
	if _, err := os.Stat(o.data); err == nil {
		return nil
	}
	err := os.MkdirAll(o.data, 0o700)
	if err == nil {
		err = syncParents(o.data)
	}
	if err != nil {
		return fmt.Errorf("failed to create data folder: %w", err)
	}
	return nil
}

// syncParents makes the entry of a folder durable, and those of the folders that it is in, which may be as new.
func syncParents(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		d, err := os.Open(dir)
		if err != nil {
			return nil // a folder that we may not read we have not made either
		}
		err = d.Sync()
		d.Close()
		if err != nil && !errors.Is(err, syscall.EINVAL) { // some that nothing can be made in cannot be synced, as /proc
			return err
		}
	}
	return nil
}

// readSecret returns what a file has, without the end of the line.
func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("failed to read secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case secret == "":
		return "", fmt.Errorf("failed to read secret: %s is empty", path)
	case strings.ContainsAny(secret, "\r\n"):
		return "", fmt.Errorf("failed to read secret: %s has more than one line", path)
	}
	return secret, nil
}

//go:build js && wasm

package main

import "github.com/sealpost/sealpost/wasm/internal/backup"

func sealBackup(args arguments) (any, error) {
	file, err := backup.Seal(args.string(0), args.bytes(1, nil))
	if err != nil {
		return nil, err
	}
	return toJS(file), nil
}

func openBackup(args arguments) (any, error) {
	plain, err := backup.Open(args.string(0), args.bytes(1, nil))
	if err != nil {
		return nil, err
	}
	return toJS(plain), nil
}

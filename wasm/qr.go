//go:build js && wasm

package main

import "github.com/sealpost/sealpost/wasm/internal/qr"

func encodeQR(args arguments) (any, error) {
	size, modules, err := qr.Encode(args.string(0))
	if err != nil {
		return nil, err
	}
	return map[string]any{"size": size, "modules": toJS(modules)}, nil
}

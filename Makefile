# make run        builds everything and serves http://localhost:8080 with data in ./data
# make test       installs what the tests need (Debian packages, npm) and runs all of them
# make test-long  the same with the large sizes and cycle counts
# make help       lists the rest

GO      ?= go
BIN     := static/bin
ENGINE  := $(BIN)/engine.wasm
WASM    := GOOS=js GOARCH=wasm
SHA256  := $(shell command -v sha256sum || echo shasum -a 256)
# Every Go package but what npm may have brought.
PACKAGES = $(shell $(GO) list ./... | grep -v /node_modules/)
UNIT     = $(shell $(GO) list ./... | grep -v -e /node_modules/ -e /wasm/e2e)
# What must also run on Workers, and the engine.
PORTABLE = ./server ./server/api ./server/store ./server/store/r2 ./server/store/d1 ./server/cmd/worker ./wasm ./wasm/internal/...

# What decides the engine's bytes; its hash is the engine's build. An unfinished upload is resumed by the same build only.
ENGINE_SOURCES := $(sort $(shell find wasm -name '*.go' -not -name '*_test.go' -not -path 'wasm/e2e/*' -not -path 'wasm/cmd/*')) go.mod go.sum
ENGINE_BUILD    = $(shell ($(GO) env GOVERSION; cat $(ENGINE_SOURCES)) | $(SHA256) | cut -c1-16)
GO_SOURCES   := $(shell find wasm server static \( -name '*.go' -o -name '*.sql' \) -not -path '*/node_modules/*') go.mod go.sum
PAGE_SOURCES := $(shell find static -type f -not -path '*/node_modules/*' -not -path '$(BIN)/*')
# Two builds must not have one name, so where there is no git (a container, an archive) the sources give it.
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo source-$$(cat $(sort $(GO_SOURCES) $(PAGE_SOURCES)) | $(SHA256) | cut -c1-12))
# The same sources, Go and VERSION make the same bytes anywhere.
NATIVE       := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false
SERVER_FLAGS  = -ldflags='-s -w -X main.version=$(VERSION)'
CLIENT_FLAGS := -ldflags='-s -w'
PLATFORMS    := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

.PHONY: build release worker worker-dev worker-deploy image run test test-long check unit page-test wasm-test e2e screenshots bench bench-server bounded lighthouse vuln deps fmt clean help

build: bin/sealpostd bin/sealpost ## bin/sealpostd (server and page in one file) and bin/sealpost

run: build ## build and serve http://localhost:8080
	bin/sealpostd -listen localhost:8080 -data data

bin/sealpostd: $(ENGINE).br $(BIN)/wasm_exec.js $(GO_SOURCES) $(PAGE_SOURCES)
	$(NATIVE) $(SERVER_FLAGS) -o $@ ./server/cmd/sealpostd

bin/sealpost: $(GO_SOURCES)
	$(NATIVE) $(CLIENT_FLAGS) -o $@ ./wasm/cmd/sealpost

release: $(ENGINE).br $(BIN)/wasm_exec.js ## bin/release/: both programs for each platform, and their SHA-256
	rm -rf bin/release && mkdir -p bin/release
	set -e; for p in $(PLATFORMS); do export GOOS=$${p%/*} GOARCH=$${p#*/}; \
	  $(NATIVE) $(SERVER_FLAGS) -o bin/release/sealpostd-$$GOOS-$$GOARCH ./server/cmd/sealpostd; \
	  $(NATIVE) $(CLIENT_FLAGS) -o bin/release/sealpost-$$GOOS-$$GOARCH ./wasm/cmd/sealpost; \
	done; cd bin/release && $(SHA256) sealpost* > SHA256SUMS && cat SHA256SUMS

# The library's glue comes first: its generator empties the folder. The page's build is linked in, so that it is told.
WORKER  := server/cmd/worker
WRANGLER = cd $(WORKER) && WRANGLER_SEND_METRICS=false WRANGLER_SEND_ERROR_REPORTS=false WRANGLER_HIDE_BANNER=true \
  CLOUDFLARE_CF_FETCH_ENABLED=false node_modules/.bin/wrangler

worker: $(WORKER)/build/go/app.wasm ## the Cloudflare Worker, in server/cmd/worker/build

$(WORKER)/build/go/app.wasm: $(ENGINE).br $(BIN)/wasm_exec.js $(GO_SOURCES) $(PAGE_SOURCES)
	$(GO) tool workers-assets-gen -mode=go -o $(@D)
	set -e; page=$$($(GO) run ./$(WORKER)/internal/site $(WORKER)/build); \
	  $(WASM) $(GO) build -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X main.build=$$page" -o $@ ./$(WORKER)

# The types of the runtime that wrangler brings, for tsc.
$(WORKER)/build/runtime.d.ts: $(WORKER)/build/go/app.wasm $(WORKER)/package-lock.json $(WORKER)/wrangler.jsonc
	$(WRANGLER) types build/runtime.d.ts --include-env=false > /dev/null

worker-dev: worker ## serve the Worker at http://localhost:8787 on this machine alone, by workerd
	$(WRANGLER) d1 migrations apply DB --local
	$(WRANGLER) dev --local --test-scheduled

worker-deploy: worker ## bring the Worker to Cloudflare; README.md says what it needs before
	$(WRANGLER) d1 migrations apply DB --remote
	$(WRANGLER) deploy

image: ## the container image sealpost, by Docker
	docker build --build-arg VERSION=$(VERSION) -t sealpost .

$(ENGINE): $(ENGINE_SOURCES)
	$(WASM) $(GO) build -trimpath -buildvcs=false -ldflags='-s -w -buildid= -X main.build=$(ENGINE_BUILD)' -o $@ ./wasm

$(ENGINE).br: $(ENGINE)
	GOOS= GOARCH= $(GO) run ./static/internal/precompress $(ENGINE)

$(BIN)/wasm_exec.js: $(shell $(GO) env GOROOT)/lib/wasm/wasm_exec.js
	cp $< $@

# What tests choose at random they choose by this; give it to repeat a run.
ifndef SEALPOST_SEED
SEALPOST_SEED := $(shell date +%s)
endif
export SEALPOST_SEED

test: deps build check unit wasm-test e2e ## install what tests need, then run all of them
	@echo 'all tests passed, SEALPOST_SEED=$(SEALPOST_SEED)'

test-long: export SEALPOST_LONG = 1
test-long: test ## the same with large sizes and many cycles

check: vuln $(WORKER)/build/runtime.d.ts ## gofmt, vet and staticcheck on both platforms, tsc
	@test -z "$$(gofmt -l server wasm static | grep -v node_modules | tee /dev/stderr)" || { echo 'gofmt: the files above are not formatted'; exit 1; }
	$(GO) mod verify
	$(GO) vet $(PACKAGES)
	$(WASM) $(GO) vet $(PORTABLE)
	$(GO) build -o bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck $(PACKAGES)
	$(WASM) bin/staticcheck $(PORTABLE)
	cd static && npm run --silent check
	@! grep -L '^// @ts-check' $(WORKER)/*.mjs $(WORKER)/testdata/*.mjs server/store/*/*.mjs | grep . || { echo 'tsc: the files above do not ask to be checked'; exit 1; }
	static/node_modules/.bin/tsc -p $(WORKER)

# The database of known vulnerabilities may be out of reach; then that is said, and nothing else fails for it.
vuln: ## govulncheck, if its database can be reached
	@out=$$($(GO) tool govulncheck $(PACKAGES) 2>&1); code=$$?; printf '%s\n' "$$out" | tail -n 20; \
	case "$$out" in *'fetching vulnerabilities'*) echo 'govulncheck: database out of reach, not checked' ;; *) exit $$code ;; esac

unit: $(ENGINE).br page-test ## Go tests with the race detector; -count=1 because go list's inputs are not in the test cache's key
	$(GO) test -race -count=1 -timeout $(if $(SEALPOST_LONG),90m,25m) $(UNIT)

page-test: ## the page's modules that need no browser, under Node
	cd static && npm test --silent

wasm-test: ## the engine, format and link packages as WebAssembly under Node
	$(WASM) $(GO) test -count=1 -exec='$(shell $(GO) env GOROOT)/lib/wasm/go_js_wasm_exec' ./wasm ./wasm/internal/...

e2e: build ## browser tests in Chromium, Firefox and WebKit; -p 1 because each package keeps the machine busy
	$(GO) test -count=1 -p 1 -timeout $(if $(SEALPOST_LONG),240m,60m) ./wasm/e2e/...

screenshots: build ## pictures of every state in each engine and contact sheets, in screenshots/; ONLY=firefox/dark for some
	SEALPOST_SCREENSHOTS=$(CURDIR)/screenshots $(GO) test -count=1 -timeout 30m ./wasm/e2e -run 'TestScreenshots/$(ONLY)'

bench: build ## speed of sending and saving against a page that does not encrypt; takes hours, BENCH='-help' says how to take less
	$(GO) run ./wasm/e2e/bench $(BENCH)

bench-server: bin/sealpostd ## speed and memory of sealpostd, with nginx on the same files as yardstick; BENCH='-help' lists options
	@$(call install,nginx util-linux)
	$(GO) build -o bin/bench-server ./server/cmd/hammer/bench
	bin/bench-server $(BENCH)

# Sizes in MiB; the memory that the last takes is held against that of the first.
BOUNDED ?= 1536,4096

bounded: build ## memory of browsers and server for large shares, up and down; takes as much disk as three times the largest
	SEALPOST_BENCH=$(BOUNDED) $(GO) test -count=1 -v -timeout 3h ./wasm/e2e -run TestBounded

# Not among the development tools: it would bring 130 packages, for a check that is not part of make test.
LIGHTHOUSE ?= npx --yes lighthouse@13.5.0

lighthouse: build ## Lighthouse's marks for both pages in Chromium, where npx can fetch it
	SEALPOST_LIGHTHOUSE='$(LIGHTHOUSE)' $(GO) test -count=1 -v ./wasm/e2e -run TestLighthouse

# Debian packages that are missing.
define install
missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || echo $$p; done); \
if [ -n "$$missing" ]; then sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; fi
endef

DEBIAN := gcc libc6-dev curl ca-certificates openssl age zstd brotli ffmpeg tar xvfb chromium chromium-driver firefox-esr webkit2gtk-driver gstreamer1.0-libav fonts-noto-color-emoji fonts-noto-core postgresql nginx caddy systemd sqlite3 e2fsprogs mount

# Building the S3 server takes minutes once, which is not for a test to wait for; the tests find what they need in Go's cache.
S3SERVER := server/conformance/services/testdata/versitygw

deps: ## Debian packages and npm modules that the tests need, and their S3 server
	@$(call install,$(DEBIAN))
	cd static && npm ci --no-audit --no-fund --silent
	cd $(WORKER) && npm ci --no-audit --no-fund --silent --ignore-scripts
	cd $(S3SERVER) && $(GO) build -trimpath -o /dev/null github.com/versity/versitygw/cmd/versitygw

fmt: ## gofmt -w
	gofmt -w server wasm static/*.go static/internal

clean: ## remove what build made
	rm -rf bin $(BIN)/* $(WORKER)/build

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

# wick: CMake and Ninja do the work; this names what people ask for.
#   make          build the library        make demo    train a vision transformer on real images
#   make test     run the tests            make katas   run the small programs, in order
#   make demos    a model of each modality, trained here: text, images, film, sound (half an hour)
#   make models   models that others trained: downloads their weights, and answers with them
#   make bench    race PyTorch: make bench PYTHON=path/to/python
#   make fuzz     run the fuzzers, FUZZ_SECONDS=60 each
#   make sanitize  the tests with the address and undefined-behaviour sanitizers; make tsan  with the thread sanitizer
#   make rebuild-cost  what one changed work struct, and one more kernel, compile again
#   make mutants  whether the tests see a fault: 200 of them, one at a time (hours)
#   make api-coverage  what of PyTorch's essential API is here; writes docs/not-there.md and the names of from-pytorch.md
#   make debug    an -O0 build to step through in gdb        make install PREFIX=/usr/local
BUILD  ?= build
TYPE   ?= RelWithDebInfo
PREFIX ?= /usr/local
PYTHON ?= python3
OUT    ?= out

.PHONY: all setup configure demo demos models test katas bench debug sanitize tsan install misuses rebuild-cost fuzz mutants api-coverage form clean

all: setup
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD)

setup:
	@scripts/setup.sh

configure:
	@test -f $(BUILD)/build.ninja || cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(TYPE) \
	    -DCMAKE_INSTALL_PREFIX=$(PREFIX) -DWICK_TESTS=OFF $(CMAKE_FLAGS) >/dev/null

demo: setup
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD) --target 12_vit_fashion_mnist
	@$(BUILD)/katas/12_vit_fashion_mnist --out $(OUT) $(ARGS)

demos:
	@scripts/setup.sh demos
	@$(MAKE) --no-print-directory configure
	@cmake -S . -B $(BUILD) >/dev/null
	@cmake --build $(BUILD) --target katas
	@scripts/demos.sh $(BUILD)/katas $(OUT)

models:
	@scripts/setup.sh models
	@$(MAKE) --no-print-directory configure
	@cmake -S . -B $(BUILD) >/dev/null
	@cmake --build $(BUILD) --target katas
	@scripts/models.sh $(BUILD)/katas $(OUT)

test:
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory configure
	@cmake -S . -B $(BUILD) -DWICK_TESTS=ON >/dev/null
	@cmake --build $(BUILD)
	@ctest --test-dir $(BUILD) --output-on-failure

katas: setup
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD) --target katas
	@for kata in $(BUILD)/katas/0* $(BUILD)/katas/10* $(BUILD)/katas/11*; do echo; echo "== $${kata##*/}"; $$kata || exit 1; done

bench: setup
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD) --target bench
	@$(PYTHON) bench/race.py $(BUILD)

debug:
	@$(MAKE) --no-print-directory all BUILD=build-debug TYPE=Debug

sanitize:
	@$(MAKE) --no-print-directory test BUILD=build-sanitize TYPE=Debug \
	    CMAKE_FLAGS="-DWICK_SANITIZE=address,undefined $(CMAKE_FLAGS)"

# children that exit by the hundred need not wait a second each
tsan:
	@TSAN_OPTIONS=atexit_sleep_ms=0 $(MAKE) --no-print-directory test BUILD=build-tsan TYPE=Debug \
	    CMAKE_FLAGS="-DWICK_SANITIZE=thread -DWICK_ISAS= $(CMAKE_FLAGS)"

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

rebuild-cost:
	@$(MAKE) --no-print-directory configure
	@cmake --build $(BUILD) --target wick_static >/dev/null
	@scripts/rebuild_cost.sh $(BUILD)

mutants:
	@python3 scripts/mutants.py $(ARGS)

api-coverage:
	@python3 scripts/api_coverage.py

fuzz:
	@scripts/fuzz.sh build-fuzz

form:
	@scripts/check_form.sh

clean:
	@rm -rf build build-*

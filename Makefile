# Everything a checkout needs, on a machine with Python 3.10+, make and a C++17 compiler.
# A second run costs next to nothing: stamps in .venv/stamps say what is up to date.

# An existing .venv keeps its interpreter unless another one is asked for.
ifndef PYTHON
PYTHON := $(or $(realpath .venv/bin/python),python3)
endif

VENV   := .venv/bin
PIP    := $(VENV)/python -m pip --disable-pip-version-check
STAMPS := .venv/stamps
ARGS   ?=

# No -e: tests and demo run what users get. No isolation: CMake's build directory survives, and the
# tools are the lock's. What changes the installed package, folders included, so that a removed file counts:
INSTALL := $(PIP) install -q --no-deps --no-build-isolation --force-reinstall
SOURCES := pyproject.toml CMakeLists.txt $(shell find src native -not -name '__pycache__' -not -name '*.pyc')

# The sanitized module has its own build and its own place; it must be GCC's, whose run-time is preloaded.
# A finding aborts, so that Python says which test it was; pytest must not swallow the report (capture=sys).
SANITIZED := build/sanitize-site
SANITIZER_RUNTIME = $(shell g++ -print-file-name=libasan.so) $(shell g++ -print-file-name=libstdc++.so)
SANITIZER_ENV = GAPLESS_SANITIZED=1 PYTHONPATH=$(CURDIR)/$(SANITIZED) PYTHONMALLOC=malloc \
	LD_PRELOAD="$(SANITIZER_RUNTIME)" \
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1:print_stacktrace=1

MISSING = $(shell sh scripts/missing.sh "$(PYTHON)")
CHECK_MACHINE = $(if $(MISSING),$(error $(MISSING)))

ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
ifeq ($(KERNEL_TEST),always)
export GAPLESS_REQUIRE_QEMU := 1
export GAPLESS_REQUIRE_HANDOFFS := 1
export GAPLESS_REQUIRE_PYNQ := 1
endif
.DELETE_ON_ERROR:
.PHONY: help env build demo test lint types contracts unit pytest pytest-board pytest-rest sanitize \
	sanitize-unit sanitize-board kernel-test kernel-test-full kernel-if-possible \
	bench format clean FORCE

help:
	@echo 'make demo       the demonstration: a virtual board, no hardware'
	@echo 'make test       everything CI checks: lint, types, contracts, sanitize, kernel-test, pytest'
	@echo 'make unit       tests/unit only (ARGS="-k name" goes to pytest here and below)'
	@echo 'make pytest     all tests'
	@echo 'make sanitize   tests/unit and tests/board with address and undefined-behaviour sanitizers'
	@echo 'make kernel-test       a real Linux under QEMU: Debian kernels 6.1 and 6.12 (docs/kernel-test.md)'
	@echo 'make kernel-test-full  and a kernel built from source, with dma-heaps and UIO'
	@echo 'make lint       ruff: rules and format'
	@echo 'make types      mypy, strict'
	@echo 'make contracts  import-linter: the layers, and virtual/ behind the seams'
	@echo 'make format     rewrite the sources in the format lint asks for'
	@echo 'make bench      benchmarks (ARGS="startup play": only these)'
	@echo 'make env        .venv with the versions of requirements/lock.txt'
	@echo 'make build      the package, compiled and installed into .venv'
	@echo 'make clean      remove .venv, build and caches'
	@echo 'PYTHON=python3.12 chooses the interpreter of .venv'

# ---------------------------------------------------------------- environment and build

env: $(STAMPS)/env
build: $(STAMPS)/package

# A stamp has the time its work began: what is edited meanwhile counts as newer.

# Another interpreter than .venv's was asked for, or the one .venv was made with is gone: make it again.
ifneq ($(PYTHON),$(realpath .venv/bin/python))
ifneq ($(shell { "$(PYTHON)" -c 'import os, sys; print(os.path.realpath(sys.executable))'; } 2>/dev/null),$(realpath .venv/bin/python))
$(STAMPS)/env: FORCE
endif
endif

$(STAMPS)/env: requirements/lock.txt pyproject.toml
	$(CHECK_MACHINE)@echo '== environment: .venv from requirements/lock.txt'
	@rm -rf .venv && mkdir -p $(STAMPS) && touch $@.begun
	@"$(PYTHON)" -m venv .venv
	@$(PIP) install -q --no-warn-script-location --no-deps --only-binary :all: -r requirements/lock.txt
	@$(PIP) check
	@mv $@.begun $@

# Tests compile with -Werror; a first `make demo` does not, lest a newer compiler's opinion stop a user.
# A checkout that was tested stays strict: demo and test would else rebuild everything in turn.
$(STAMPS)/package: $(STAMPS)/env $(SOURCES)
	$(CHECK_MACHINE)@echo '== build: native core and package into .venv' && touch $@.begun
	@$(INSTALL) -C cmake.define.GAPLESS_WERROR=$(if $(wildcard $(STAMPS)/strict),ON,OFF) .
	@mv $@.begun $@ && touch -c -r $@ $(STAMPS)/strict

$(STAMPS)/strict: $(STAMPS)/env $(SOURCES)
	$(CHECK_MACHINE)@echo '== build: native core and package into .venv, warnings are errors' && touch $@.begun
	@$(INSTALL) -C cmake.define.GAPLESS_WERROR=ON .
	@mv $@.begun $@ && touch -r $@ $(STAMPS)/package

$(STAMPS)/sanitize: $(STAMPS)/env $(SOURCES)
	$(CHECK_MACHINE)@echo '== build: sanitized native core into $(SANITIZED)' && touch $@.begun
	@command -v g++ >/dev/null || { echo 'make sanitize needs GCC: apt-get install g++'; exit 1; }
	@rm -rf $(SANITIZED)
	@CXX=g++ $(INSTALL) --target $(SANITIZED) -C 'build-dir=build/sanitize/{wheel_tag}' \
		-C cmake.build-type=Debug -C 'cmake.define.CMAKE_CXX_FLAGS_DEBUG=-O1 -g' \
		-C cmake.define.GAPLESS_SANITIZE=ON -C cmake.define.GAPLESS_WERROR=OFF .
	@mv $@.begun $@

# ---------------------------------------------------------------- what people run

demo: $(STAMPS)/package
	@$(VENV)/gapless demo $(ARGS)

# Its native side and PYNQ's environment are made under build/ when they are first needed.
bench: $(STAMPS)/package
	@$(VENV)/python -m benchmarks $(ARGS)

# KERNEL_TEST=always, as in .ci/run: a machine that has no QEMU fails. The runs of pytest go side by side, two at
# a time, the longest first; what they print comes one after the other.
test: lint types contracts $(if $(filter always,$(KERNEL_TEST)),kernel-test,kernel-if-possible) $(STAMPS)/sanitize
	@$(MAKE) --no-print-directory -j2 --output-sync=target SIDE_BY_SIDE=1 sanitize-board pytest-rest pytest-board sanitize-unit

lint: $(STAMPS)/env
	@echo '== lint: ruff check, ruff format --check'
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .

types: $(STAMPS)/env
	@echo '== types: mypy --strict'
	@$(VENV)/mypy

contracts: $(STAMPS)/strict
	@echo '== contracts: lint-imports'
	@$(VENV)/lint-imports

unit: $(STAMPS)/strict
	@echo '== unit: pytest tests/unit'
	@$(VENV)/python -m pytest tests/unit $(ARGS)

pytest: $(STAMPS)/strict
	@echo '== pytest: all tests'
	@$(VENV)/python -m pytest $(ARGS)

# The same in halves: the virtual board, and the rest.
pytest-board: $(STAMPS)/strict
	@echo '== pytest: tests/board'
	@$(VENV)/python -m pytest tests/board $(ARGS)

pytest-rest: $(STAMPS)/strict
	@echo '== pytest: all other tests'
	@$(VENV)/python -m pytest tests --ignore=tests/board $(ARGS)

# Tests of what has no native code in it, or of whole programs in processes of their own, whose parts have tests:
# sanitizers would only make Python slow.
PURE := $(wildcard tests/unit/test_bitstream.py tests/unit/test_claims*.py tests/unit/test_fpga_manager.py \
	tests/unit/test_handoff*.py tests/unit/test_iomem.py tests/unit/test_kernel_*.py tests/unit/test_pynq_imports.py \
	tests/board/test_pynq_notebooks.py tests/board/test_pynq_run.py tests/board/test_readme.py \
	tests/board/test_examples.py tests/board/test_serve*.py tests/unit/test_pynq_remote_parts.py)

PYTEST_SANITIZED = $(SANITIZER_ENV) $(VENV)/python -m pytest --capture=sys $(addprefix --ignore=,$(PURE)) $(ARGS)

sanitize: $(STAMPS)/sanitize
	@echo '== sanitize: pytest with the sanitized native core'
	@$(PYTEST_SANITIZED) tests/unit tests/board

# The same in halves.
sanitize-unit sanitize-board: sanitize-%: $(STAMPS)/sanitize
	@echo '== sanitize: tests/$* with the sanitized native core'
	@$(PYTEST_SANITIZED) tests/$*

# Its own wheel is cross-compiled by the runner, strictly; .venv has the tools for it, and the package for the model
# of the PL that a guest plays on.
KERNEL_MISSING = $(shell sh scripts/missing.sh --kernel-test$(1) "$(PYTHON)")

kernel-test kernel-test-full: $(STAMPS)/strict
	@$(if $(call KERNEL_MISSING,$(@:kernel-test%=%)),$(error $(call KERNEL_MISSING,$(@:kernel-test%=%))))
	@echo '== $@: tests/kernel/guest on arm64 kernels under QEMU'
	@PYTHONPATH=tests $(VENV)/python -m kernel $(if $(@:kernel-test=),--full) $(ARGS)

# For make test: a machine that cannot says so in one line, and the other checks go on. .ci/run installs what it takes.
kernel-if-possible: $(STAMPS)/env
	@missing=$$(sh scripts/missing.sh --kernel-test "$(PYTHON)"); if [ -n "$$missing" ]; then \
		echo "== kernel-test: not run: $$missing"; else $(MAKE) --no-print-directory kernel-test ARGS=; fi

format: $(STAMPS)/env
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

clean:
	rm -rf .venv build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

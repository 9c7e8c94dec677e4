# Cross compile for the guest: Debian's compiler, and the headers of the guest's Python (GAPLESS_PYTHON_HEADERS, its
# usr/include). The interpreter that runs the build is the host's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES GAPLESS_PYTHON_HEADERS)
# A plain variable: the build backend has put the host's folder into the cache.
set(Python_INCLUDE_DIR "${GAPLESS_PYTHON_HEADERS}/python3.11")
# Debian's pyconfig.h includes <aarch64-linux-gnu/python3.11/pyconfig.h>.
include_directories(SYSTEM "${GAPLESS_PYTHON_HEADERS}")

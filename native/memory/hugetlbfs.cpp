#include "memory/hugetlbfs.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>
#include <system_error>

namespace gapless {
namespace {

void check(int result, const char* what) {
    if (result != 0) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void mount_hugetlbfs(const std::string& directory, std::uint64_t page_size) {
    // mode= and pagesize=: Documentation/admin-guide/mm/hugetlbpage.rst, "Using Huge Pages".
    const std::string options = "mode=0700,pagesize=" + std::to_string(page_size);
    check(mount("gapless", directory.c_str(), "hugetlbfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()),
          "mount of a hugetlbfs");
}

void allocate_pages(int file, std::uint64_t offset, std::uint64_t nbytes) {
    check(fallocate(file, 0, static_cast<off_t>(offset), static_cast<off_t>(nbytes)), "fallocate");
}

void give_back_pages(int file, std::uint64_t offset, std::uint64_t nbytes) {
    check(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(nbytes)),
          "fallocate of a hole");
}

}  // namespace gapless

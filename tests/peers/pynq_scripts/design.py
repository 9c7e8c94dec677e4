"""What an overlay tells of its design."""

from pynq import DefaultIP, Overlay

overlay = Overlay("pynq_tutorial.bit", download=False)
for name in ("axi_dma_from_ps_to_pl", "axi_dma_from_pl_to_ps", "leds_gpio", "btns_gpio", "switches_gpio"):
    ip = overlay.ip_dict[name]
    print(name, ip["fullpath"], hex(ip["phys_addr"]), hex(ip["addr_range"]), ip["type"], sorted(ip["interrupts"]))
print({name: pin["index"] for name, pin in sorted(overlay.gpio_dict.items())})
print(sorted(name for name in overlay.interrupt_pins if name.partition("/")[0] in (*overlay.ip_dict, "iop1", "iop2")))


class Lights(DefaultIP):
    """A driver of this program's own."""

    bindto = ("xilinx.com:ip:axi_gpio:2.0",)

    def show(self, number):
        self.write(4, 0)
        self.write(0, number)
        return self.read(0)


overlay = Overlay("pynq_tutorial.bit")
print(overlay.is_loaded(), isinstance(overlay.leds_gpio, Lights), isinstance(overlay.btns_gpio, Lights))
print(overlay.leds_gpio.show(6), overlay.switches_gpio.read())
try:
    _ = overlay.no_such_ip
except AttributeError:
    print("no such IP")

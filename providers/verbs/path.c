// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * How what a device writes gets into memory, as far as one can find out.
 */

#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/string.h>
#include <rdma/ib_verbs.h>

#include "path.h"

#define KFV_MAX_DDIO_OFF	32

static char *ddio_off[KFV_MAX_DDIO_OFF];
static unsigned int nr_ddio_off;
module_param_array(ddio_off, charp, &nr_ddio_off, 0444);
MODULE_PARM_DESC(ddio_off,
		 "RDMA devices that do not write into caches: DDIO is off for them");

/*
 * A device may have its writes reordered only where that is enabled. Of a virtual
 * function it is the physical one whose bit counts. What is not on PCI is not known.
 */
static bool kfv_path_is_strict(const struct ib_device *ib)
{
	struct pci_dev *pdev;

	if (!ib->dma_device || !dev_is_pci(ib->dma_device))
		return false;
	pdev = to_pci_dev(ib->dma_device);
	return !pcie_relaxed_ordering_enabled(pdev) &&
	       !pcie_relaxed_ordering_enabled(pci_physfn(pdev));
}

/* No register says so that could be read everywhere. */
static bool kfv_path_ddio_off(const struct ib_device *ib)
{
	unsigned int i;

	for (i = 0; i < nr_ddio_off; i++)
		if (!strcmp(ddio_off[i], dev_name(&ib->dev)))
			return true;
	return false;
}

void kfv_path_init(struct kfv_path *path, struct ib_device *ib)
{
	path->soft = ib_uses_virt_dma(ib);
	path->strict = kfv_path_is_strict(ib);
	path->ddio_off = kfv_path_ddio_off(ib);
}

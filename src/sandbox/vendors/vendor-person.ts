// VendorPerson: one person in a vendor stand-in's directory, as the stand-ins, the page and the tests see them.

export interface VendorPerson {
  id: string
  name: string
  email: string
  status: 'active' | 'invited' | 'suspended' | 'deactivated'
  /** The vendor's own word for the role, where it has one. */
  role: string | null
}

"""What a brand sells: products by SKU. Prices are the program's, not the product's."""

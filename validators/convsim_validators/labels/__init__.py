"""What labels of acts and experience say beyond one metric at a time: transitions, and shares corrected for errors."""
